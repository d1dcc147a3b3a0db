"""One small geometry of every builder, with what is known of it in closed form."""

import math

import usadelfem as uf

S, N = uf.superconductor(gap=1.0), uf.normal_metal()
F = uf.ferromagnet(exchange=(0.0, 0.0, 5.0))
PI = math.pi
ROOT = math.asin(0.3 / 2.3)


def _make(builder, **arguments):
    return lambda **more: getattr(uf.geometry, builder)(**arguments, **more)


def _stack(**more):
    return uf.geometry.stack({"S": (2.0, S), "F": (0.5, F), "N": (1.0, N)}, **{"axis": "y", "width": 1.5} | more)


# Without Gmsh: maker, areas of regions, lengths of terminals.
PLAIN = {
    "junction": (
        _make("junction", S=S, N=N, length=1.0, pad=2.5, width=1.2),
        {"S_left": 3.0, "N": 1.2, "S_right": 3.0}, {"left": 1.2, "right": 1.2, "S_left_N": 1.2, "N_S_right": 1.2},
    ),
    "stack": (_stack, {"S": 3.0, "F": 0.75, "N": 1.5}, {"bottom": 1.5, "top": 1.5, "S_F": 1.5, "left": 3.5}),
    "strip": (_make("strip", N=N, length=4.0, width=1.5), {"N": 6.0}, {"left": 1.5, "right": 1.5, "top": 4.0}),
    "cross": (
        _make("cross", N=N, length=2.0, width=1.0), {"N": 9.0},
        {"left": 1.0, "right": 1.0, "bottom": 1.0, "top": 1.0},
    ),
    "hall_bar": (
        _make("hall_bar", N=N, length=5.0, width=1.0, probe_width=0.5, probe_length=0.8), {"N": 6.6},
        {"left": 1.0, "right": 1.0, "bottom_1": 0.5, "bottom_2": 0.5, "top_1": 0.5, "top_2": 0.5},
    ),
    "squid": (
        _make("squid", S=S, N=N, hole=(3.0, 2.0), width=0.5, link=0.4, lead=1.0),
        {"S_left": 3.3, "S_right": 3.3, "N_bottom": 0.2, "N_top": 0.2},
        {"left": 0.5, "right": 0.5, "hole": 10.0, "S_left_N_top": 0.5},
    ),
    "spin_valve": (
        _make("spin_valve", N=N, F=F, distance=1.0, magnet=0.5, pad=1.0, strip=0.3, cap=0.2),
        {"N": 1.2, "F_left": 0.1, "F_right": 0.1},
        {"left": 0.3, "right": 0.3, "injector": 0.5, "detector": 0.5, "N_F_left": 0.5},
    ),
}  # fmt: skip
# Meshed by Gmsh; circles are polygons, so that their areas are smaller.
ROUND = {
    "disc": (_make("disc", S=S, radius=2.0), {"S": 4 * PI}, {"edge": 4 * PI}),
    "disc with a hole": (
        _make("disc", S=S, radius=2.0, hole=0.8), {"S": 3.36 * PI}, {"edge": 4 * PI, "hole": 1.6 * PI},
    ),
    "ring": (_make("ring", S=S, radius=2.0, width=0.6), {"S": 2.4 * PI}, {"edge": 4.6 * PI, "hole": 3.4 * PI}),
    "ring with leads": (
        _make("ring", N=N, radius=2.0, width=0.6, lead=1.0),
        {"N": 2.4 * PI + 2 * (0.6 * (3.3 - 0.5 * 2.3 * math.cos(ROOT)) - 2.3**2 * ROOT)},
        {"left": 0.6, "right": 0.6, "hole": 3.4 * PI},
    ),
    "sharp bridge": (
        _make("nanobridge", S=S, length=0.4, width=0.4, pad=1.5, bank_width=2.0),
        {"S_left": 3.0, "bridge": 0.16, "S_right": 3.0}, {"left": 2.0, "right": 2.0, "S_left_bridge": 0.4},
    ),
    "round bridge": (
        _make("nanobridge", S=S, length=0.4, width=0.4, pad=1.5, bank_width=2.0, radius=0.5),
        {"S_left": 2.7 - 0.125 * PI, "bridge": 0.16, "S_right": 2.7 - 0.125 * PI}, {"left": 2.0},
    ),
    "tapered bridge": (
        _make("nanobridge", S=S, N=N, length=0.4, width=0.4, pad=1.5, bank_width=2.0, taper=0.5),
        {"S_left": 2.6, "N": 0.16, "S_right": 2.6}, {"left": 2.0, "right": 2.0, "N_S_right": 0.4},
    ),
    "island": (
        _make("island", S=S, N=N, radius=0.7, length=4.0, width=3.0), {"S": 0.49 * PI, "N": 12 - 0.49 * PI},
        {"left": 3.0, "right": 3.0, "bottom": 4.0, "top": 4.0, "S_N": 1.4 * PI},
    ),
    "star": (
        _make("multi_terminal", S=S, N=N, terminals=3, radius=1.0, lead_width=0.8, lead=1.5),
        {"N": PI} | {f"S_{k}": 0.8 * (2.5 - 0.5 * math.cos(math.asin(0.4))) - math.asin(0.4) for k in (1, 2, 3)},
        {"lead_1": 0.8, "lead_2": 0.8, "lead_3": 0.8, "S_3_N": 2 * math.asin(0.4)},
    ),
    "square with leads": (
        _make("multi_terminal", S=S, N=N, terminals=4, radius=1.0, lead_width=0.8, lead=1.5, shape="polygon"),
        {"N": 4.0, "S_1": 1.2, "S_2": 1.2, "S_3": 1.2, "S_4": 1.2},
        {"lead_1": 0.8, "lead_2": 0.8, "lead_3": 0.8, "lead_4": 0.8, "S_2_N": 0.8},
    ),
}  # fmt: skip
SHAPES = PLAIN | ROUND
