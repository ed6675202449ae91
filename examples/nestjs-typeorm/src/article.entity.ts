import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity()
export class Article {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('text')
  title!: string;

  @Column('text')
  author!: string;

  @Column('text', { default: 'draft' })
  status!: 'draft' | 'published' | 'archived';
}
