namespace PriorityQueue

inductive Heap where
  | empty : Heap
  | node : Heap → Nat → Heap → Heap

def toList : Heap → List Nat
  | .empty => []
  | .node l x r => x :: (toList l ++ toList r)

/-- No key is smaller than the one above it. -/
def Ordered : Heap → Prop
  | .empty => True
  | .node l x r => Ordered l ∧ Ordered r ∧ ∀ y, y ∈ toList l ++ toList r → x ≤ y

/-- All keys of two queues in one. -/
def meld (a b : Heap) : Heap := sorry

/-- Add a key. -/
def insert (x : Nat) (h : Heap) : Heap := sorry

/-- Take a smallest key out, if there is one. -/
def popMin (h : Heap) : Option (Nat × Heap) := sorry

theorem meld_ordered (a b : Heap) (ha : Ordered a) (hb : Ordered b) :
    Ordered (meld a b) := sorry

theorem meld_perm (a b : Heap) : (toList (meld a b)).Perm (toList a ++ toList b) := sorry

theorem insert_ordered (x : Nat) (h : Heap) (ho : Ordered h) : Ordered (insert x h) := sorry

theorem insert_perm (x : Nat) (h : Heap) : (toList (insert x h)).Perm (x :: toList h) := sorry

theorem popMin_none (h : Heap) : popMin h = none ↔ toList h = [] := sorry

theorem popMin_some (h h' : Heap) (x : Nat) (ho : Ordered h) (hp : popMin h = some (x, h')) :
    Ordered h' ∧ (toList h).Perm (x :: toList h') ∧ ∀ y, y ∈ toList h → x ≤ y := sorry

end PriorityQueue
