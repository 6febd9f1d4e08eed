inductive Tree : Type → Type 1 where
  | node {α : Type} (value : α) (children : List (Tree α)) : Tree α

def Tree.size {α : Type} : Tree α → Nat
  | .node _ children => 1 + (children.attach.map fun ⟨c, _⟩ => c.size).sum

theorem Tree.size_pos {α : Type} (t : Tree α) : 0 < t.size := by
  cases t; rw [Tree.size]; omega
