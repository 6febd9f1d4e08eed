def half (n : Nat) : Fin (n + 1) := ⟨n / 2, by omega⟩

theorem half_spec (n : Nat) : 2 * (half n).val = n ∨ 2 * (half n).val + 1 = n := by
  simp only [half]
  omega
