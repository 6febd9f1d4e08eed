namespace TableStack

/-- The cells below `size` hold the stack, its top last; what lies above is left over. -/
structure Stack (α : Type) where
  size : Nat
  cells : Nat → α

def push {α : Type} (x : α) (s : Stack α) : Stack α :=
  ⟨s.size + 1, fun i => if i = s.size then x else s.cells i⟩

def pop {α : Type} (s : Stack α) : Option (α × Stack α) :=
  match s.size with
  | 0 => none
  | n + 1 => some (s.cells n, ⟨n, s.cells⟩)

def listOf {α : Type} (cells : Nat → α) : Nat → List α
  | 0 => []
  | n + 1 => cells n :: listOf cells n

def toList {α : Type} (s : Stack α) : List α := listOf s.cells s.size

theorem toList_push {α : Type} (x : α) (s : Stack α) : toList (push x s) = x :: toList s := sorry

theorem pop_none {α : Type} (s : Stack α) : pop s = none ↔ toList s = [] := sorry

theorem pop_some {α : Type} (s t : Stack α) (x : α) (h : pop s = some (x, t)) :
    toList s = x :: toList t := sorry

theorem pop_push {α : Type} (x : α) (s : Stack α) :
    ∃ t, pop (push x s) = some (x, t) ∧ toList t = toList s := sorry

end TableStack
