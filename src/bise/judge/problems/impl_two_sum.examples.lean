#guard TwoSum.twoSum [] 0 = none
#guard TwoSum.twoSum [5] 5 = none
#guard TwoSum.twoSum [5] 10 = none
#guard TwoSum.twoSum [3, 3] 6 = some (0, 1)
#guard TwoSum.twoSum [2, 7, 11, 15] 9 = some (0, 1)
#guard TwoSum.twoSum [1, -4, 9, 2] (-2) = some (1, 3)
#guard TwoSum.twoSum [1, 2, 3] 7 = none
