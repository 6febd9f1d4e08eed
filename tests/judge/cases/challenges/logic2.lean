theorem drinker {α : Type} [Inhabited α] (p : α → Prop) : ∃ x, p x → ∀ y, p y := sorry

theorem ite_same (c : Prop) [Decidable c] (a : Nat) : (if c then a else a) = a := sorry
