open Kmp

#guard next [1, 2, 1, 2] 4 1 = 3
#guard next [1, 2, 1, 2] 3 2 = 4
#guard next [1, 2, 1, 2] 3 1 = 1
#guard next [1, 2] 0 5 = 0
#guard next [] 0 5 = 0
#guard search [] [1, 2] = some 0
#guard search [1] [] = none
#guard search [1, 2] [0, 1, 2, 1, 2] = some 1
#guard search [1, 1, 2] [1, 1, 1, 2] = some 1
#guard search [1, 2, 3] [1, 2] = none
