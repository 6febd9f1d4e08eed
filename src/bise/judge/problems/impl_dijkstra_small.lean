namespace ShortestWalk

/-- A directed edge with its length. -/
structure Edge where
  source : Nat
  target : Nat
  weight : Nat

/-- Walks along edges, with their whole length. -/
inductive Walk (edges : List Edge) : Nat → Nat → Nat → Prop where
  | stay (u) : Walk edges u u 0
  | go {u v d} (e : Edge) :
      e ∈ edges → e.source = u → Walk edges e.target v d → Walk edges u v (e.weight + d)

/-- Length of a shortest walk from `u` to `v`, if there is any. -/
def distance (edges : List Edge) (u v : Nat) : Option Nat := sorry

theorem distance_some (edges : List Edge) (u v d : Nat) (h : distance edges u v = some d) :
    Walk edges u v d ∧ ∀ c, Walk edges u v c → d ≤ c := sorry

theorem distance_none (edges : List Edge) (u v : Nat) :
    distance edges u v = none ↔ ∀ d, ¬ Walk edges u v d := sorry

end ShortestWalk
