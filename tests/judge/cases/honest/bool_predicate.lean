def isGood (n : Nat) : Bool := n % 3 == 0
theorem t (n : Nat) : isGood n = true ↔ n % 3 = 0 := by simp [isGood]
