noncomputable section
def half (n : Nat) : Nat := Classical.epsilon fun m => 2 * m = n ∨ 2 * m + 1 = n
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n :=
  Classical.epsilon_spec (p := fun m => 2 * m = n ∨ 2 * m + 1 = n) ⟨n / 2, by omega⟩
end
