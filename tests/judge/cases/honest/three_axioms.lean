theorem by_cases_on (p q : Prop) (h : p → q) (k : ¬p → q) : q := (Classical.em p).elim h k

theorem swap_and (p q : Prop) : (p ∧ q) = (q ∧ p) := propext ⟨fun ⟨a, b⟩ => ⟨b, a⟩, fun ⟨a, b⟩ => ⟨b, a⟩⟩

theorem choose_it {α : Type} (r : α → α → Prop) (h : ∀ x, ∃ y, r x y) : ∃ f : α → α, ∀ x, r x (f x) :=
  ⟨fun x => Classical.choose (h x), fun x => Classical.choose_spec (h x)⟩

theorem quot_eq {α : Type} (r : α → α → Prop) (a b : α) (h : r a b) : Quot.mk r a = Quot.mk r b := Quot.sound h
