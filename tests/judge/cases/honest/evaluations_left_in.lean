def turn (xs : List Nat) : List Nat := ([] ++ xs).reverse

#eval turn [1, 2, 3]
#guard turn [1, 2] == [2, 1]
#check turn

theorem turn_length (xs : List Nat) : (turn xs).length = xs.length := by simp [turn]

theorem turn_turn (xs : List Nat) : turn (turn xs) = xs := by simp [turn]
