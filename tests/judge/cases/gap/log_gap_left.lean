def log2 (n : Nat) : Nat := if n ≤ 1 then 0 else 1 + log2 (n / 2)
termination_by n
decreasing_by sorry
theorem log2_one : log2 1 = 0 := by rw [log2]; rfl
