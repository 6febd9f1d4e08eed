theorem map_length.{a, b} {α : Type a} {β : Type b} (f : α → β) (xs : List α) :
    (xs.map f).length = xs.length := List.length_map f
