"""The layout of a snapshot's binary frame, version 1, little-endian.

========  =====  ==========================================================================
Offset    Type   Meaning
========  =====  ==========================================================================
0         u32    `MAGIC` ("CRF1")
4         u16    `VERSION`
6         u16    flags: `RUNNING`, `TRAVELLING`, `GRADIENTS`
8         u32    number of the run; grows with every configure and reset
12        u32    epoch
16        u32    step
20        f32    loss of the training rows
24        f32    loss of the test rows; NaN: there are none
28        f32    learning rate
32        f32    norm of the gradient
36        u16    M, width and height of the output map
38        u16    K, channels of the output map
40        u16    U, width and height of a unit map
42        u16    N, number of unit maps
44        u16    V, number of values
46        u16    Q, number of metrics
48        u16    D, width and height of the detail map; 0: none
50        u16    layer of the detail map
52        u16    unit of the detail map
54        u16    G, number of gradient norms
========  =====  ==========================================================================

From offset 56 on: f32[Q] metrics · f32[G] ‖∂J/∂W[l]‖ of the dense layers · f32[V] values of the
drawn parameters · with the flag `GRADIENTS` f32[V] their gradients and f32[N] mean |δ| of the
drawn units · f32[2N] lowest and highest value of each unit map · with D > 0 f32[2] those of the
detail map · u8[K·M·M] output map · u8[N·U·U] unit maps · u8[D·D] detail map. The first row of a map
is the top, where y is largest. The unit maps and the detail map go from lo (0) to hi (255); with
K = 1 the output map goes from the description's output.lo to output.hi; with K = 2 its first plane
is the class with the highest probability, its second that probability from 0 to 1.
"""

import struct

MAGIC = 0x31465243
VERSION = 1

RUNNING, TRAVELLING, GRADIENTS = 1, 2, 4

HEADER = struct.Struct("<IHHIIIffffHHHHHHHHHH")
"""The fixed part, in the order of the table above."""

MAX_BYTES = 8192
"""The most bytes of a frame: the maps become smaller until a frame fits."""

MAX_DRAWN = 8
"""The most inputs, and the most units of a layer, that are drawn."""

assert HEADER.size == 56
