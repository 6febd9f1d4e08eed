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

def join : Heap → Heap → Heap
  | .empty, h => h
  | .node l x r, .empty => .node l x r
  | .node l x r, .node l' y r' =>
    if x ≤ y then .node (join r (.node l' y r')) x l else .node (join r' (.node l x r)) y l'
termination_by a b => sizeOf a + sizeOf b

/-- All keys of two queues in one. -/
def meld (a b : Heap) : Heap := join a b

/-- Add a key. -/
def insert (x : Nat) (h : Heap) : Heap := join (.node .empty x .empty) h

/-- Take a smallest key out, if there is one. -/
def popMin (h : Heap) : Option (Nat × Heap) :=
  match h with
  | .empty => none
  | .node l x r => some (x, join l r)

theorem join_perm (a b : Heap) : (toList (join a b)).Perm (toList a ++ toList b) := by
  fun_induction join a b with
  | case1 h => exact .refl _
  | case2 l x r => simp [toList]
  | case3 l x r l' y r' h ih =>
    refine List.Perm.cons x ((ih.append_right _).trans ?_)
    refine List.perm_append_comm.trans ?_
    simp
  | case4 l x r l' y r' h ih =>
    refine List.Perm.trans ?_ List.perm_middle.symm
    refine List.Perm.cons y ((ih.append_right _).trans ?_)
    refine List.perm_append_comm.trans ?_
    rw [← List.append_assoc]
    exact List.perm_append_comm

theorem root_le {l r : Heap} {x : Nat} (h : Ordered (.node l x r)) :
    ∀ y, y ∈ toList (.node l x r) → x ≤ y := by
  intro y hy
  rcases List.mem_cons.mp hy with rfl | hy
  · exact Nat.le_refl _
  · exact h.2.2 y hy

theorem join_ordered (a b : Heap) (ha : Ordered a) (hb : Ordered b) : Ordered (join a b) := by
  fun_induction join a b with
  | case1 h => exact hb
  | case2 l x r => exact ha
  | case3 l x r l' y r' h ih =>
    refine ⟨ih ha.2.1 hb, ha.1, fun z hz => ?_⟩
    rcases List.mem_append.mp hz with hz | hz
    · rcases List.mem_append.mp ((join_perm _ _).mem_iff.mp hz) with hz | hz
      · exact ha.2.2 z (List.mem_append_right _ hz)
      · exact Nat.le_trans h (root_le hb z hz)
    · exact ha.2.2 z (List.mem_append_left _ hz)
  | case4 l x r l' y r' h ih =>
    refine ⟨ih hb.2.1 ha, hb.1, fun z hz => ?_⟩
    rcases List.mem_append.mp hz with hz | hz
    · rcases List.mem_append.mp ((join_perm _ _).mem_iff.mp hz) with hz | hz
      · exact hb.2.2 z (List.mem_append_right _ hz)
      · exact Nat.le_trans (by omega) (root_le ha z hz)
    · exact hb.2.2 z (List.mem_append_left _ hz)

theorem meld_ordered (a b : Heap) (ha : Ordered a) (hb : Ordered b) :
    Ordered (meld a b) := join_ordered a b ha hb

theorem meld_perm (a b : Heap) : (toList (meld a b)).Perm (toList a ++ toList b) := join_perm a b

theorem insert_ordered (x : Nat) (h : Heap) (ho : Ordered h) : Ordered (insert x h) := by
  exact join_ordered _ _ (by simp [Ordered, toList]) ho

theorem insert_perm (x : Nat) (h : Heap) : (toList (insert x h)).Perm (x :: toList h) := by
  exact join_perm (.node .empty x .empty) h

theorem popMin_none (h : Heap) : popMin h = none ↔ toList h = [] := by
  cases h <;> simp [popMin, toList]

theorem popMin_some (h h' : Heap) (x : Nat) (ho : Ordered h) (hp : popMin h = some (x, h')) :
    Ordered h' ∧ (toList h).Perm (x :: toList h') ∧ ∀ y, y ∈ toList h → x ≤ y := by
  cases h with
  | empty => cases hp
  | node l y r =>
    cases hp
    exact ⟨join_ordered l r ho.1 ho.2.1, (join_perm l r).symm.cons _, root_le ho⟩

end PriorityQueue
