def half' (n : Nat) : { m : Nat // 2 * m = n ∨ 2 * m + 1 = n } :=
  have h : ∀ k : Nat, (∃ m, k = 2 * m) ∨ ¬∃ m, k = 2 * m := fun k => Classical.em _
  have k : 2 * (n / 2) = n ∨ 2 * (n / 2) + 1 = n := by
    cases h n with
    | inl h => omega
    | inr h => omega
  ⟨n / 2, k⟩
def half (n : Nat) : Nat := (half' n).val
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := (half' n).property
