def pairUp.{u, v} {α : Type u} {β : Type v} (f : α → β) (xs : List α) : List (α × β) :=
  xs.map fun x => (x, f x)

theorem pairUp_length {α β : Type} (f : α → β) (xs : List α) :
    (pairUp f xs).length = xs.length := by simp [pairUp]
