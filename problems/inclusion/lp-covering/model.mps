* covering: least weight that covers every row; many answers
NAME covering
ROWS
 N cost
 G r0
 G r1
 G r2
 G r3
 G r4
 G r5
 G r6
 G r7
 G r8
 G r9
 G r10
 G r11
 G r12
 G r13
 G r14
 G r15
 G r16
 G r17
 G r18
 G r19
 G r20
 G r21
 G r22
 G r23
 G r24
 G r25
 G r26
 G r27
 G r28
 G r29
COLUMNS
 x0 cost 1
 x0 r4 1
 x0 r10 1
 x0 r13 1
 x0 r20 1
 x1 cost 3
 x1 r10 1
 x1 r21 1
 x1 r23 1
 x1 r28 1
 x2 cost 4
 x2 r3 1
 x2 r5 1
 x2 r20 1
 x2 r25 1
 x3 cost 2
 x3 r1 1
 x3 r5 1
 x3 r9 1
 x3 r11 1
 x3 r12 1
 x3 r17 1
 x3 r20 1
 x3 r22 1
 x3 r24 1
 x4 cost 4
 x4 r3 1
 x4 r7 1
 x4 r17 1
 x5 cost 5
 x5 r3 1
 x5 r12 1
 x5 r15 1
 x5 r17 1
 x5 r22 1
 x5 r29 1
 x6 cost 1
 x6 r9 1
 x6 r11 1
 x6 r19 1
 x6 r28 1
 x7 cost 4
 x7 r3 1
 x7 r13 1
 x7 r20 1
 x8 cost 3
 x8 r0 1
 x8 r7 1
 x8 r10 1
 x8 r13 1
 x8 r25 1
 x8 r26 1
 x9 cost 5
 x9 r4 1
 x9 r15 1
 x9 r18 1
 x9 r26 1
 x9 r28 1
 x9 r29 1
 x10 cost 5
 x10 r1 1
 x10 r4 1
 x10 r22 1
 x10 r23 1
 x11 cost 4
 x11 r6 1
 x11 r11 1
 x11 r13 1
 x11 r17 1
 x11 r18 1
 x12 cost 4
 x12 r4 1
 x12 r11 1
 x12 r16 1
 x12 r18 1
 x12 r27 1
 x13 cost 4
 x13 r4 1
 x13 r10 1
 x13 r13 1
 x13 r21 1
 x13 r27 1
 x14 cost 4
 x14 r5 1
 x14 r17 1
 x14 r23 1
 x14 r26 1
 x15 cost 4
 x15 r3 1
 x15 r10 1
 x15 r13 1
 x15 r14 1
 x15 r27 1
 x16 cost 3
 x16 r1 1
 x16 r3 1
 x16 r11 1
 x16 r13 1
 x16 r15 1
 x16 r19 1
 x16 r20 1
 x16 r23 1
 x16 r24 1
 x16 r28 1
 x17 cost 2
 x17 r13 1
 x17 r21 1
 x17 r26 1
 x18 cost 4
 x18 r6 1
 x18 r20 1
 x18 r22 1
 x18 r25 1
 x19 cost 3
 x19 r1 1
 x19 r2 1
 x19 r4 1
 x19 r10 1
 x19 r20 1
 x19 r21 1
 x19 r25 1
 x20 cost 4
 x20 r8 1
 x20 r17 1
 x20 r18 1
 x20 r26 1
 x21 cost 3
 x21 r1 1
 x21 r10 1
 x21 r16 1
 x21 r20 1
 x21 r21 1
 x21 r29 1
 x22 cost 3
 x22 r11 1
 x22 r14 1
 x22 r17 1
 x22 r19 1
 x22 r25 1
 x23 cost 3
 x23 r8 1
 x23 r11 1
 x23 r21 1
 x23 r22 1
 x23 r23 1
 x23 r28 1
 x24 cost 1
 x24 r0 1
 x24 r2 1
 x24 r5 1
 x24 r6 1
 x24 r8 1
 x24 r22 1
 x24 r23 1
 x25 cost 4
 x25 r1 1
 x25 r10 1
 x25 r28 1
 x25 r29 1
 x26 cost 2
 x26 r17 1
 x27 cost 1
 x27 r5 1
 x27 r27 1
 x28 cost 3
 x28 r17 1
 x28 r18 1
 x28 r22 1
 x28 r25 1
 x29 cost 5
 x29 r2 1
 x29 r6 1
 x29 r7 1
 x29 r14 1
 x29 r15 1
 x29 r19 1
 x29 r25 1
 x30 cost 5
 x30 r23 1
 x30 r29 1
 x31 cost 1
 x31 r7 1
 x31 r15 1
 x31 r17 1
 x31 r24 1
 x31 r25 1
 x32 cost 1
 x32 r0 1
 x32 r5 1
 x32 r16 1
 x32 r17 1
 x32 r22 1
 x33 cost 1
 x33 r2 1
 x33 r23 1
 x33 r24 1
 x34 cost 3
 x34 r0 1
 x34 r9 1
 x34 r22 1
 x34 r24 1
 x35 cost 5
 x35 r5 1
 x35 r8 1
 x35 r15 1
 x36 cost 1
 x36 r6 1
 x36 r12 1
 x36 r15 1
 x36 r21 1
 x36 r25 1
 x36 r27 1
 x37 cost 5
 x37 r0 1
 x37 r4 1
 x37 r14 1
 x37 r19 1
 x37 r25 1
 x38 cost 1
 x38 r4 1
 x38 r5 1
 x38 r9 1
 x38 r15 1
 x38 r18 1
 x38 r21 1
 x39 cost 1
 x39 r0 1
 x39 r4 1
 x39 r7 1
 x39 r8 1
 x39 r10 1
 x39 r11 1
 x39 r12 1
 x39 r16 1
 x39 r22 1
RHS
 rhs r0 1
 rhs r1 1
 rhs r2 1
 rhs r3 1
 rhs r4 1
 rhs r5 1
 rhs r6 1
 rhs r7 1
 rhs r8 1
 rhs r9 1
 rhs r10 1
 rhs r11 1
 rhs r12 1
 rhs r13 1
 rhs r14 1
 rhs r15 1
 rhs r16 1
 rhs r17 1
 rhs r18 1
 rhs r19 1
 rhs r20 1
 rhs r21 1
 rhs r22 1
 rhs r23 1
 rhs r24 1
 rhs r25 1
 rhs r26 1
 rhs r27 1
 rhs r28 1
 rhs r29 1
BOUNDS
 UP bounds x0 1
 UP bounds x1 1
 UP bounds x2 1
 UP bounds x3 1
 UP bounds x4 1
 UP bounds x5 1
 UP bounds x6 1
 UP bounds x7 1
 UP bounds x8 1
 UP bounds x9 1
 UP bounds x10 1
 UP bounds x11 1
 UP bounds x12 1
 UP bounds x13 1
 UP bounds x14 1
 UP bounds x15 1
 UP bounds x16 1
 UP bounds x17 1
 UP bounds x18 1
 UP bounds x19 1
 UP bounds x20 1
 UP bounds x21 1
 UP bounds x22 1
 UP bounds x23 1
 UP bounds x24 1
 UP bounds x25 1
 UP bounds x26 1
 UP bounds x27 1
 UP bounds x28 1
 UP bounds x29 1
 UP bounds x30 1
 UP bounds x31 1
 UP bounds x32 1
 UP bounds x33 1
 UP bounds x34 1
 UP bounds x35 1
 UP bounds x36 1
 UP bounds x37 1
 UP bounds x38 1
 UP bounds x39 1
ENDATA
