namespace BraunHeap

inductive Tree where
  | leaf : Tree
  | node : Tree → Nat → Tree → Tree

def insert : Nat → Tree → Tree
  | x, .leaf => .node .leaf x .leaf
  | x, .node l v r => if x ≤ v then .node (insert v r) x l else .node (insert x r) v l

def size : Tree → Nat
  | .leaf => 0
  | .node l _ r => size l + size r + 1

def toList : Tree → List Nat
  | .leaf => []
  | .node l v r => v :: (toList l ++ toList r)

/-- No key is smaller than the one above it. -/
def Heap : Tree → Prop
  | .leaf => True
  | .node l v r => Heap l ∧ Heap r ∧ ∀ x, x ∈ toList l ++ toList r → v ≤ x

/-- The left side holds as many keys as the right one, or one more. -/
def Braun : Tree → Prop
  | .leaf => True
  | .node l _ r => Braun l ∧ Braun r ∧ (size l = size r ∨ size l = size r + 1)

theorem toList_insert (x : Nat) (t : Tree) : (toList (insert x t)).Perm (x :: toList t) := sorry

theorem insert_heap (x : Nat) (t : Tree) (h : Heap t) : Heap (insert x t) := sorry

theorem size_insert (x : Nat) (t : Tree) : size (insert x t) = size t + 1 := sorry

theorem insert_braun (x : Nat) (t : Tree) (h : Braun t) : Braun (insert x t) := sorry

end BraunHeap
