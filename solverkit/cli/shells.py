"""Completion in bash, zsh and fish: the scripts, and the lines by which they and `solverkit` talk.

The shell calls `solverkit` with the words so far in its environment, and gets a line for every candidate: type, value
and help, separated by tabs. Files are left to the shell, which knows about quoting and `~`: a line of type `problem`,
`suite` or `dir` asks for names of that sort.
"""

from __future__ import annotations

import os
import shlex
from typing import Any, ClassVar

from click.shell_completion import CompletionItem, ShellComplete

BASH = r"""# Completion of solverkit in bash 4.4 or later. Read it by: source <(solverkit completion bash)
%(complete_func)s() {
    local current="${COMP_WORDS[COMP_CWORD]}" type value help suffix
    local -a suffixes
    COMPREPLY=()
    while IFS=$'\t' read -r type value help; do
        case "$type" in
            problem | suite)
                suffixes=(yaml yml)
                [[ $type == problem ]] && suffixes+=(nl mps lp)
                compopt -o filenames -o plusdirs
                for suffix in "${suffixes[@]}"; do
                    while IFS= read -r value; do
                        COMPREPLY+=("$value")
                    done < <(compgen -f -X "!*.$suffix" -- "$current")
                done
                ;;
            dir) compopt -o filenames -o dirnames ;;
            file) compopt -o filenames -o default ;;
            plain)
                [[ $value == *= ]] && compopt -o nospace
                COMPREPLY+=("$value")
                ;;
        esac
    done < <(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD %(complete_var)s=bash_complete "$1" 2>/dev/null)
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

ZSH = r"""#compdef %(prog_name)s
# Completion of solverkit in zsh. Read it by: source <(solverkit completion zsh), after compinit
%(complete_func)s() {
    local type value help
    local -a found open
    (( $+commands[%(prog_name)s] )) || return 1
    while IFS=$'\t' read -r type value help; do
        value=${value//:/\\:}
        case "$type" in
            problem) _files -g '*.(yaml|yml|nl|mps|lp)(-.)' ;;
            suite) _files -g '*.(yaml|yml)(-.)' ;;
            dir) _files -/ ;;
            file) _files ;;
            plain)
                if [[ $value == *= ]]; then open+=("$value:$help"); else found+=("$value:$help"); fi
                ;;
        esac
    done < <(
        COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT - 1)) %(complete_var)s=zsh_complete %(prog_name)s 2>/dev/null
    )
    (( $#found )) && _describe -V solverkit found
    (( $#open )) && _describe -V option open -S ''
    return 0
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""

FISH = r"""# Completion of solverkit in fish. Read it by: solverkit completion fish | source
function %(complete_func)s
    set -l current (commandline -ct)
    for line in (COMP_WORDS=(commandline -cp | string collect) COMP_CWORD="$current" \
            %(complete_var)s=fish_complete %(prog_name)s 2>/dev/null)
        set -l parts (string split \t -- $line)
        switch $parts[1]
            case problem
                for suffix in yaml yml nl mps lp
                    __fish_complete_suffix .$suffix | string match -r "^.*(?:/|\.$suffix)\$"
                end | sort -u
            case suite
                for suffix in yaml yml
                    __fish_complete_suffix .$suffix | string match -r "^.*(?:/|\.$suffix)\$"
                end | sort -u
            case dir
                __fish_complete_directories "$current"
            case file
                __fish_complete_path "$current"
            case plain
                printf '%%s\t%%s\n' $parts[2] $parts[3]
        end
    end
end
complete --command %(prog_name)s --no-files --keep-order --arguments '(%(complete_func)s)'
"""


def _words(line: str) -> list[str]:
    """The words of a line by the shell's rules; a quotation that is still open ends with the line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    words = []
    try:
        for word in lexer:
            words.append(word)
    except ValueError:
        words.append(lexer.token)
    return words


class _Shell(ShellComplete):
    """Words by position, as bash and zsh hand them over; candidates as lines of three fields."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is completed, and what there is of that one."""
        words, place = _words(os.environ["COMP_WORDS"]), int(os.environ["COMP_CWORD"])
        return words[1:place], words[place] if place < len(words) else ""

    def format_completion(self, item: CompletionItem) -> str:
        """One line: type, value, help."""
        help_ = " ".join((item.help or "").split())
        return f"{item.type}\t{item.value}\t{help_}"


class Bash(_Shell):
    """bash from 4.4 on."""

    name: ClassVar[str] = "bash"
    source_template: ClassVar[str] = BASH


class Zsh(_Shell):
    """zsh."""

    name: ClassVar[str] = "zsh"
    source_template: ClassVar[str] = ZSH


class Fish(_Shell):
    """fish, which hands over the line up to the cursor and its last word."""

    name: ClassVar[str] = "fish"
    source_template: ClassVar[str] = FISH

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is completed, and what there is of that one."""
        words, current = _words(os.environ["COMP_WORDS"]), os.environ["COMP_CWORD"]
        return (words[1:-1] if current and len(words) > 1 else words[1:]), current


SHELLS: dict[str, type[_Shell]] = {shell.name: shell for shell in (Bash, Zsh, Fish)}
"""By name, as in `solverkit completion NAME`."""


def source(name: str, complete_var: str) -> str:
    """The script of a shell."""
    return _shell(name, None, complete_var).source()


def answer(instruction: str, app: Any, complete_var: str) -> int:
    """Print the candidates that a script asks for by `bash_complete` and the like. 0: done; 1: another instruction."""
    name, _, what = instruction.partition("_")
    if name not in SHELLS or what != "complete":
        return 1
    print(_shell(name, app, complete_var).complete())
    return 0


def _shell(name: str, app: Any, complete_var: str) -> _Shell:
    return SHELLS[name](app, {}, "solverkit", complete_var)
