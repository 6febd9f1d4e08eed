theorem map_length.{u} {α : Type u} {β : Type u} (f : α → β) (xs : List α) :
    (xs.map f).length = xs.length := by simp
