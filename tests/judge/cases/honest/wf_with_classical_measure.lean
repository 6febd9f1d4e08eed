theorem drop (n : Nat) (h : ¬n < 2) : n - 2 < n := by
  cases Classical.em (n = 0) with
  | inl k => omega
  | inr k => omega
def half (n : Nat) : Nat := if h : n < 2 then 0 else half (n - 2) + 1
termination_by n
decreasing_by exact drop n h
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  induction n using Nat.strongRecOn with
  | ind n ih =>
    rw [half]
    split
    · omega
    · have := ih (n - 2) (by omega); omega
