#guard MaxOf.maxOf [] = none
#guard MaxOf.maxOf [0] = some 0
#guard MaxOf.maxOf [3] = some 3
#guard MaxOf.maxOf [1, 5, 2] = some 5
#guard MaxOf.maxOf [7, 2, 7] = some 7
#guard MaxOf.maxOf [1, 2, 3, 4] = some 4
