"""A learnt graph as files: GraphML, an edge list, a picture; and as a networkx graph."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

from solverkit.errors import MissingPackage
from solverkit.text import clean

if TYPE_CHECKING:
    from networkx import DiGraph

NAMESPACE = "http://graphml.graphdrawing.org/xmlns"


def graphml(W: np.ndarray, names: tuple[str, ...]) -> str:
    """GraphML (graphdrawing.org) with names of nodes and weights of edges: read by networkx, Gephi, yEd, Cytoscape."""
    root = ElementTree.Element("graphml", xmlns=NAMESPACE)
    for key, domain, kind in (("name", "node", "string"), ("weight", "edge", "double")):
        ElementTree.SubElement(root, "key", {"id": key, "for": domain, "attr.name": key, "attr.type": kind})
    graph = ElementTree.SubElement(root, "graph", edgedefault="directed")
    for k, name in enumerate(names):
        node = ElementTree.SubElement(graph, "node", id=f"n{k}")
        ElementTree.SubElement(node, "data", key="name").text = clean(name, 200)
    for i, j in np.argwhere(W != 0):
        edge = ElementTree.SubElement(graph, "edge", source=f"n{i}", target=f"n{j}")
        ElementTree.SubElement(edge, "data", key="weight").text = repr(float(W[i, j]))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def edge_list(W: np.ndarray, names: tuple[str, ...], undirected: np.ndarray | None = None) -> str:
    """CSV with `from,to,weight,direction`, strongest first.

    undirected : (d, d) bool, pairs whose direction the Markov class leaves open: those say `either`
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["from", "to", "weight", "direction"])
    edges = sorted(np.argwhere(W != 0).tolist(), key=lambda edge: -abs(W[edge[0], edge[1]]))
    for i, j in edges:
        either = undirected is not None and bool(undirected[i, j])
        writer.writerow([_cell(names[i]), _cell(names[j]), repr(float(W[i, j])), "either" if either else "given"])
    return text.getvalue()


def _cell(name: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    shown = clean(name, 200)
    return f"'{shown}" if shown[:1] in "=+-@\t" else shown


def digraph(W: np.ndarray, names: tuple[str, ...]) -> DiGraph:
    """A `networkx.DiGraph` with all variables as nodes and `weight` on edges. MissingPackage without networkx."""
    try:
        import networkx
    except ImportError:
        raise MissingPackage("graphs need networkx, which is not installed. Run: pip install networkx") from None
    graph: Any = networkx.DiGraph()
    graph.add_nodes_from(names)
    graph.add_weighted_edges_from((names[i], names[j], float(W[i, j])) for i, j in np.argwhere(W != 0))
    return graph
