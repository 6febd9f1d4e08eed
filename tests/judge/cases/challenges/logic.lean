theorem by_cases_on (p q : Prop) (h : p → q) (k : ¬p → q) : q := sorry

theorem swap_and (p q : Prop) : (p ∧ q) = (q ∧ p) := sorry

theorem choose_it {α : Type} (r : α → α → Prop) (h : ∀ x, ∃ y, r x y) : ∃ f : α → α, ∀ x, r x (f x) := sorry

theorem quot_eq {α : Type} (r : α → α → Prop) (a b : α) (h : r a b) : Quot.mk r a = Quot.mk r b := sorry
