"""`solverkit verify`."""

from __future__ import annotations

import click

from solverkit.cli import candidates, output, report
from solverkit.cli.arguments import allow_python, json_flag, parameter, problem_or_path, stored


@click.command("verify")
@click.argument("result", metavar="RESULT", shell_complete=candidates.folders)
@click.argument("problem", metavar="PROBLEM", shell_complete=candidates.problem_files)
@parameter
@json_flag
@allow_python
def command(result: str, problem: str, parameters: tuple[str, ...], json_: bool, allow_python: bool) -> int:
    """Recompute the certificate of the folder RESULT for the file PROBLEM.

    Nothing in the folder is trusted but the point. Exit code 0: certified; 3: not certified; 5: no verdict.
    """
    from solverkit import api
    from solverkit.kinds.base import PointStatus

    answer, given = stored(result), problem_or_path(problem, allow_python, parameters)
    certificate = api.verify(answer, given, allow_python=allow_python)
    status = certificate.status
    if json_:
        output.as_json(report.certificate_dict(certificate))
    else:
        output.heading(f"{status.name}: {certificate.sentence}")
        report.show_certificate(certificate)
    return {PointStatus.CERTIFIED: 0, PointStatus.UNVERIFIED: 5}.get(status, 3)
