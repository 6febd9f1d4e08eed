def pred (n : Nat) (h : n ≠ 0) : Nat := n - 1

def half (n : Nat) : Nat :=
  if h : n = 0 then 0 else (pred (n + 1) (by omega)) / 2

theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  unfold half pred
  split <;> omega
