def isGood (n : Nat) : Bool := sorry
theorem t (n : Nat) : isGood n = true ↔ n % 3 = 0 := sorry
