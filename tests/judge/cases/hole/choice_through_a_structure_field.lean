noncomputable section
def both : Nat × (Nat → Nat) := (3, fun n => (Classical.choice (⟨⟨n / 2, by omega⟩⟩ : Nonempty { m : Nat // 2 * m = n ∨ 2 * m + 1 = n })).val)
def half (n : Nat) : Nat := both.2 n
end
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n :=
  (Classical.choice (⟨⟨n / 2, by omega⟩⟩ : Nonempty { m : Nat // 2 * m = n ∨ 2 * m + 1 = n })).property
