theorem map_length {α : Type _} {β : Type _} (f : α → β) (xs : List α) :
    (xs.map f).length = xs.length := List.length_map f
