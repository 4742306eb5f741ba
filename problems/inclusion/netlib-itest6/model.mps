NAME        itest6
ROWS
 N  Obj     
 L  r0      
 L  r1      
 L  r2      
 L  r3      
 L  r4      
 L  r5      
 L  r6      
 L  r7      
 L  r8      
 E  r9      
 E  r10     
COLUMNS
    c0        r1        1
    c1        Obj       1
    c1        r5        1
    c1        r6        1
    c1        r8        -1
    c1        r9        1
    c1        r10       1
    c2        Obj       1
    c2        r0        0.80000000000000004
    c2        r3        1
    c2        r5        -1
    c2        r9        -0.050000000000000003
    c2        r10       -0.040000000000000001
    c3        Obj       1
    c3        r0        1
    c3        r6        -1
    c3        r10       -0.050000000000000003
    c4        r4        0.5
    c4        r7        3
    c5        r2        2
    c5        r4        0.59999999999999998
    c6        r7        -1
    c7        r2        -1
RHS
    RHS_V     r0        10000
    RHS_V     r1        90000
    RHS_V     r2        10000
    RHS_V     r3        50000
    RHS_V     r4        300000
    RHS_V     r5        -50000
    RHS_V     r6        -87000
    RHS_V     r7        -10000
    RHS_V     r8        -80000
    RHS_V     r9        5000
    RHS_V     r10       4500
ENDATA
