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

theorem count_eq {α : Type} (t : Tree α) (n : Nat) : count t n = (toList t).length + n := by
  induction t generalizing n with
  | leaf => simp [count, toList]
  | node l x r ihl ihr =>
    simp only [count, toList, List.length_append, List.length_cons, ihl, ihr]
    omega

theorem length_toList_map {α β : Type} (f : α → β) (t : Tree α) :
    (toList (map f t)).length = (toList t).length := by
  induction t with
  | leaf => rfl
  | node l x r ihl ihr => simp [map, toList, ihl, ihr]

theorem size_map {α β : Type} (f : α → β) (t : Tree α) : size (map f t) = size t := by
  rw [size, size, count_eq, count_eq, length_toList_map]

theorem length_toList {α : Type} (t : Tree α) : (toList t).length = size t := by
  rw [size, count_eq, Nat.add_zero]

end TreeSize
