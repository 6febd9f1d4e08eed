def two : 1 + 1 = 2 := by
  have : ∀ p : Prop, p ∨ ¬p := Classical.em
  cases this (1 + 1 = 2) with
  | inl h => exact h
  | inr h => exact absurd rfl h

theorem two_again : 2 = 1 + 1 := two.symm
