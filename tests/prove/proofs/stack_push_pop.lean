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

theorem listOf_congr {α : Type} (f g : Nat → α) (n : Nat) (h : ∀ i, i < n → f i = g i) :
    listOf f n = listOf g n := by
  induction n with
  | zero => rfl
  | succ n ih =>
    simp only [listOf]
    rw [h n (by omega), ih (fun i hi => h i (by omega))]

theorem toList_push {α : Type} (x : α) (s : Stack α) : toList (push x s) = x :: toList s := by
  simp only [toList, push, listOf, if_true]
  congr 1
  exact listOf_congr _ _ _ (fun i hi => if_neg (Nat.ne_of_lt hi))

theorem pop_none {α : Type} (s : Stack α) : pop s = none ↔ toList s = [] := by
  obtain ⟨size, cells⟩ := s
  cases size <;> simp [pop, toList, listOf]

theorem pop_some {α : Type} (s t : Stack α) (x : α) (h : pop s = some (x, t)) :
    toList s = x :: toList t := by
  obtain ⟨size, cells⟩ := s
  cases size with
  | zero => cases h
  | succ n =>
    cases h
    rfl

theorem pop_push {α : Type} (x : α) (s : Stack α) :
    ∃ t, pop (push x s) = some (x, t) ∧ toList t = toList s := by
  refine ⟨_, by simp only [pop, push, if_true]; rfl, ?_⟩
  exact listOf_congr _ _ _ (fun i hi => if_neg (Nat.ne_of_lt hi))

end TableStack
