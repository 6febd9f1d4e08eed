theorem drinker {α : Type} [Inhabited α] (p : α → Prop) : ∃ x, p x → ∀ y, p y := by
  by_cases h : ∃ x, ¬ p x
  · obtain ⟨x, hx⟩ := h
    exact ⟨x, fun hp => absurd hp hx⟩
  · exact ⟨default, fun _ y => Classical.byContradiction fun hy => h ⟨y, hy⟩⟩
open Classical in
theorem ite_same (c : Prop) (a : Nat) : (if c then a else a) = a := by split <;> rfl
