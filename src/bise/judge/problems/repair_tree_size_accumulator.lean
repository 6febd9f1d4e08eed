namespace TreeSize

inductive Tree (α : Type) where
  | leaf : Tree α
  | node : Tree α → α → Tree α → Tree α

def map {α β : Type} (f : α → β) : Tree α → Tree β
  | .leaf => .leaf
  | .node l x r => .node (map f l) (f x) (map f r)

def toList {α : Type} : Tree α → List α
  | .leaf => []
  | .node l x r => toList l ++ x :: toList r

def count {α : Type} : Tree α → Nat → Nat
  | .leaf, n => n
  | .node l _ r, n => count l (count r (n + 1))

def size {α : Type} (t : Tree α) : Nat := count t 0

/- Before `size` was changed:

def size {α : Type} : Tree α → Nat
  | .leaf => 0
  | .node l _ r => size l + 1 + size r

The proof that fitted it, and has to be mended:

theorem size_map {α β : Type} (f : α → β) (t : Tree α) : size (map f t) = size t := by
  induction t with
  | leaf => rfl
  | node l x r ihl ihr => simp only [map, size, ihl, ihr]

theorem length_toList {α : Type} (t : Tree α) : (toList t).length = size t := by
  induction t with
  | leaf => rfl
  | node l x r ihl ihr =>
    simp only [toList, List.length_append, List.length_cons, size, ihl, ihr]
    omega
-/

theorem size_map {α β : Type} (f : α → β) (t : Tree α) : size (map f t) = size t := sorry

theorem length_toList {α : Type} (t : Tree α) : (toList t).length = size t := sorry

end TreeSize
