theorem zero_both (n : Nat) : n + 0 = n ∧ 0 + n = n := by simp

theorem zero_left (n : Nat) : 0 + n = n := by simp
