universe w
variable {γ : Type w}

theorem map_length.{u, v} {α : Type u} {β : Type v} (f : α → β) (xs : List α) :
    (xs.map f).length = xs.length := by
  induction xs with
  | nil => rfl
  | cons x xs ih => simp
