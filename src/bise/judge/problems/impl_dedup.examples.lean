#guard Dedup.dedup [] = []
#guard Dedup.dedup [4] = [4]
#guard Dedup.dedup [3, 3, 3] = [3]
#guard (Dedup.dedup [1, 2, 1, 2, 0]).length = 3
#guard (Dedup.dedup [1, 2, 1]).contains 2
#guard !(Dedup.dedup [1, 2, 1]).contains 3
