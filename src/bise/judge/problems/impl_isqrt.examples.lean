#guard Isqrt.isqrt 0 = 0
#guard Isqrt.isqrt 1 = 1
#guard Isqrt.isqrt 3 = 1
#guard Isqrt.isqrt 4 = 2
#guard Isqrt.isqrt 24 = 4
#guard Isqrt.isqrt 25 = 5
#guard Isqrt.isqrt 26 = 5
