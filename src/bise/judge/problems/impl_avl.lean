namespace ImplAvl

inductive Tree where
  | leaf : Tree
  | node : Tree → Int → Tree → Tree

def height : Tree → Nat
  | .leaf => 0
  | .node l _ r => max (height l) (height r) + 1

def keys : Tree → List Int
  | .leaf => []
  | .node l x r => keys l ++ x :: keys r

def Ordered (t : Tree) : Prop := (keys t).Pairwise (· < ·)

def Balanced : Tree → Prop
  | .leaf => True
  | .node l _ r =>
    Balanced l ∧ Balanced r ∧ height l ≤ height r + 1 ∧ height r ≤ height l + 1

/-- Add a key, if it is not there. -/
def insert (k : Int) (t : Tree) : Tree := sorry

theorem mem_insert (j k : Int) (t : Tree) : j ∈ keys (insert k t) ↔ j = k ∨ j ∈ keys t := sorry

theorem insert_ordered (k : Int) (t : Tree) (h : Ordered t) : Ordered (insert k t) := sorry

theorem insert_balanced (k : Int) (t : Tree) (h : Balanced t) : Balanced (insert k t) := sorry

theorem height_logarithmic (t : Tree) (h : Balanced t) :
    2 ^ (height t / 2) ≤ (keys t).length + 1 := sorry

end ImplAvl
