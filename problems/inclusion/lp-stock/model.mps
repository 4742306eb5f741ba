* stock: production and stock over 24 periods, with capacities
NAME stock
ROWS
 N cost
 E r0
 E r1
 E r2
 E r3
 E r4
 E r5
 E r6
 E r7
 E r8
 E r9
 E r10
 E r11
 E r12
 E r13
 E r14
 E r15
 E r16
 E r17
 E r18
 E r19
 E r20
 E r21
 E r22
 E r23
COLUMNS
 x0 cost 2.4936027963561234
 x0 r0 1
 x1 cost 2.480859501868345
 x1 r1 1
 x2 cost 2.5006785680462373
 x2 r2 1
 x3 cost 3.8757468583277417
 x3 r3 1
 x4 cost 2.049812199466764
 x4 r4 1
 x5 cost 1.671313440334648
 x5 r5 1
 x6 cost 2.5662610066343428
 x6 r6 1
 x7 cost 2.9235127718950844
 x7 r7 1
 x8 cost 3.8173211602720265
 x8 r8 1
 x9 cost 2.7460474019411376
 x9 r9 1
 x10 cost 1.8035001708747656
 x10 r10 1
 x11 cost 3.789324085924201
 x11 r11 1
 x12 cost 2.4751758538374298
 x12 r12 1
 x13 cost 3.0274025948005776
 x13 r13 1
 x14 cost 2.428116731426206
 x14 r14 1
 x15 cost 1.6509400792659852
 x15 r15 1
 x16 cost 3.077656134131682
 x16 r16 1
 x17 cost 3.3118914492752314
 x17 r17 1
 x18 cost 1.572365515775613
 x18 r18 1
 x19 cost 2.379748038245445
 x19 r19 1
 x20 cost 2.0854451797057276
 x20 r20 1
 x21 cost 1.5121894583388245
 x21 r21 1
 x22 cost 1.6640549795673616
 x22 r22 1
 x23 cost 3.8875222339791353
 x23 r23 1
 x24 cost 0.3
 x24 r0 -1
 x24 r1 1
 x25 cost 0.3
 x25 r1 -1
 x25 r2 1
 x26 cost 0.3
 x26 r2 -1
 x26 r3 1
 x27 cost 0.3
 x27 r3 -1
 x27 r4 1
 x28 cost 0.3
 x28 r4 -1
 x28 r5 1
 x29 cost 0.3
 x29 r5 -1
 x29 r6 1
 x30 cost 0.3
 x30 r6 -1
 x30 r7 1
 x31 cost 0.3
 x31 r7 -1
 x31 r8 1
 x32 cost 0.3
 x32 r8 -1
 x32 r9 1
 x33 cost 0.3
 x33 r9 -1
 x33 r10 1
 x34 cost 0.3
 x34 r10 -1
 x34 r11 1
 x35 cost 0.3
 x35 r11 -1
 x35 r12 1
 x36 cost 0.3
 x36 r12 -1
 x36 r13 1
 x37 cost 0.3
 x37 r13 -1
 x37 r14 1
 x38 cost 0.3
 x38 r14 -1
 x38 r15 1
 x39 cost 0.3
 x39 r15 -1
 x39 r16 1
 x40 cost 0.3
 x40 r16 -1
 x40 r17 1
 x41 cost 0.3
 x41 r17 -1
 x41 r18 1
 x42 cost 0.3
 x42 r18 -1
 x42 r19 1
 x43 cost 0.3
 x43 r19 -1
 x43 r20 1
 x44 cost 0.3
 x44 r20 -1
 x44 r21 1
 x45 cost 0.3
 x45 r21 -1
 x45 r22 1
 x46 cost 0.3
 x46 r22 -1
 x46 r23 1
 x47 cost 0.3
 x47 r23 -1
RHS
 rhs r0 14.430561055723675
 rhs r1 10.113275528143616
 rhs r2 14.762437057077042
 rhs r3 5.808360238956022
 rhs r4 11.073558319950296
 rhs r5 8.764865843772725
 rhs r6 13.019012069858073
 rhs r7 6.745278161440284
 rhs r8 13.716352741876564
 rhs r9 10.439414007634982
 rhs r10 14.022150797159883
 rhs r11 9.771535238392062
 rhs r12 9.304962777294131
 rhs r13 12.889467175443293
 rhs r14 14.841529999311213
 rhs r15 8.697257926524287
 rhs r16 14.689328693162349
 rhs r17 14.290263877654194
 rhs r18 6.776925857619811
 rhs r19 11.088516168445476
 rhs r20 12.048647455647426
 rhs r21 14.428036791291671
 rhs r22 11.656574169657535
 rhs r23 6.333957554516932
BOUNDS
 UP bounds x0 16
 UP bounds x1 16
 UP bounds x2 16
 UP bounds x3 16
 UP bounds x4 16
 UP bounds x5 16
 UP bounds x6 16
 UP bounds x7 16
 UP bounds x8 16
 UP bounds x9 16
 UP bounds x10 16
 UP bounds x11 16
 UP bounds x12 16
 UP bounds x13 16
 UP bounds x14 16
 UP bounds x15 16
 UP bounds x16 16
 UP bounds x17 16
 UP bounds x18 16
 UP bounds x19 16
 UP bounds x20 16
 UP bounds x21 16
 UP bounds x22 16
 UP bounds x23 16
 UP bounds x24 20
 UP bounds x25 20
 UP bounds x26 20
 UP bounds x27 20
 UP bounds x28 20
 UP bounds x29 20
 UP bounds x30 20
 UP bounds x31 20
 UP bounds x32 20
 UP bounds x33 20
 UP bounds x34 20
 UP bounds x35 20
 UP bounds x36 20
 UP bounds x37 20
 UP bounds x38 20
 UP bounds x39 20
 UP bounds x40 20
 UP bounds x41 20
 UP bounds x42 20
 UP bounds x43 20
 UP bounds x44 20
 UP bounds x45 20
 UP bounds x46 20
 UP bounds x47 20
ENDATA
