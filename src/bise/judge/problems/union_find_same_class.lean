namespace UnionFind

/-- Every number points to itself, a root, or to a smaller one. -/
structure Forest where
  parent : Nat → Nat
  le : ∀ i, parent i ≤ i

def root (f : Forest) (i : Nat) : Nat :=
  if f.parent i = i then i else root f (f.parent i)
termination_by i
decreasing_by
  have := f.le i
  omega

def single : Forest := ⟨id, fun _ => Nat.le_refl _⟩

def link (f : Forest) (a b : Nat) (h : a ≤ b) : Forest where
  parent i := if i = b then a else f.parent i
  le i := by
    split
    · omega
    · exact f.le i

def union (f : Forest) (a b : Nat) : Forest :=
  if h : root f a ≤ root f b then link f (root f a) (root f b) h
  else link f (root f b) (root f a) (by omega)

def build : List (Nat × Nat) → Forest
  | [] => single
  | (a, b) :: pairs => union (build pairs) a b

inductive Connected (pairs : List (Nat × Nat)) : Nat → Nat → Prop where
  | pair {a b} : (a, b) ∈ pairs → Connected pairs a b
  | refl (a) : Connected pairs a a
  | symm {a b} : Connected pairs a b → Connected pairs b a
  | trans {a b c} : Connected pairs a b → Connected pairs b c → Connected pairs a c

theorem parent_root (f : Forest) (i : Nat) : f.parent (root f i) = root f i := sorry

theorem root_eq_iff_connected (pairs : List (Nat × Nat)) (i j : Nat) :
    root (build pairs) i = root (build pairs) j ↔ Connected pairs i j := sorry

end UnionFind
