def log2 (n : Nat) : Nat := if n ≤ 1 then 0 else 1 + log2 (n - 1)
termination_by n
decreasing_by omega
theorem log2_one : log2 1 = 0 := by rw [log2]; rfl
