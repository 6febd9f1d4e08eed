noncomputable def g : Nat := Classical.choose (⟨5, rfl⟩ : ∃ n, n = 5)
theorem t : g = 5 := Classical.choose_spec (⟨5, rfl⟩ : ∃ n, n = 5)
