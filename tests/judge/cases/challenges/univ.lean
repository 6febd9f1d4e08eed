universe u v

def pairUp {α : Type u} {β : Type v} (f : α → β) (xs : List α) : List (α × β) :=
  xs.map fun x => (x, f x)

theorem pairUp_length {α : Type u} {β : Type v} (f : α → β) (xs : List α) :
    (pairUp f xs).length = xs.length := sorry
