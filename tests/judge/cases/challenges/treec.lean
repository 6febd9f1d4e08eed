inductive Tree (α : Type) where
  | node (value : α) (children : List (Tree α))

def Tree.size {α : Type} : Tree α → Nat
  | .node _ children => 1 + (children.attach.map fun ⟨c, _⟩ => c.size).sum

theorem Tree.size_pos {α : Type} (t : Tree α) : 0 < t.size := sorry
