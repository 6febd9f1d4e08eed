theorem list_map_append_length {α β : Type} (f : α → β) (xs ys : List α) :
    (xs.map f ++ ys.map f).length = ys.length + xs.length := by
  simp [Nat.add_comm]
