theorem positive (n : Nat) (h : n ≠ 0) : ∃ m, n = m + 1 := ⟨n - 1, by omega⟩

def half (n : Nat) : Nat :=
  if h : n = 0 then 0
  else
    have : n = (positive n h).choose + 1 := (positive n h).choose_spec
    (⟨n / 2, by omega⟩ : Fin (n + 1)).val

theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  unfold half
  split <;> simp <;> omega
