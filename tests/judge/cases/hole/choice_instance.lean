open Classical in
def half (n : Nat) : Nat := if h : ∃ m, 2 * m = n ∨ 2 * m + 1 = n then h.choose else 0
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  have h : ∃ m, 2 * m = n ∨ 2 * m + 1 = n := ⟨n / 2, by omega⟩
  unfold half; rw [dif_pos h]; exact h.choose_spec
