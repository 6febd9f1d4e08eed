axiom halver : ∀ n : Nat, { m : Nat // 2 * m = n ∨ 2 * m + 1 = n }
noncomputable def half (n : Nat) : Nat := (halver n).val
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := (halver n).property
